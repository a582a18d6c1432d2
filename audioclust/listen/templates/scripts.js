{% for name in ["state", "edits", "take_over", "moves", "groups", "levels", "hours", "next", "labels", "clips", "scope", "canvas", "neighbours", "map", "cards", "lists", "others", "help", "parts", "spreading", "answers", "naming", "events"] %}{% include name ~ ".js" %}
{% endfor %}
