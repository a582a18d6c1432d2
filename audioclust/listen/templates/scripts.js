{% for name in ["state", "edits", "take_over", "moves", "groups", "levels", "hours", "next", "clips", "scope", "canvas", "map", "lists", "others", "events"] %}{% include name ~ ".js" %}
{% endfor %}
