{% for name in ["state", "edits", "moves", "groups", "levels", "hours", "next", "clips", "scope", "map", "lists", "events"] %}{% include name ~ ".js" %}
{% endfor %}
