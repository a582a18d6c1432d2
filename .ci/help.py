"""Write `audioclust/help.json`: what `help()` says of each public class and function.

The texts come from where the pages have them: summaries from docstrings, parameters, results and attributes from the
comments behind them, examples from the cells that are shown. Nothing is imported, so it takes a second.
"""
import ast
import functools
import json
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT/"audioclust"
DEFINITIONS = ast.FunctionDef, ast.ClassDef
WIDTH = 88  # characters of a line of a description


# ---- names

def file_of(module):
    "The file of a module or package, or None where it is not ours."
    base = ROOT.joinpath(*module.split("."))
    for path in base.with_suffix(".py"), base/"__init__.pyi":
        if path.is_file(): return path


@functools.cache
def parsed(module):
    "The lines of a module, and its names: definitions, or (module, name) of what it imports."
    text, names = file_of(module).read_text(encoding="utf-8"), {}
    is_package = file_of(module).name.startswith("__init__")
    for node in ast.parse(text).body:
        if isinstance(node, DEFINITIONS): names[node.name] = node
        if not isinstance(node, ast.ImportFrom): continue
        above = module.split(".")[:len(module.split(".")) + is_package - node.level]
        source = ".".join([*(above if node.level else []), *filter(None, [node.module])])
        for alias in node.names: names[alias.asname or alias.name] = source, alias.name
    return text.splitlines(), names


def definition(module, name):
    "The module and node that define a name, or None where it is no class or function of ours."
    while file_of(module):
        found = parsed(module)[1].get(name)
        if isinstance(found, DEFINITIONS): return module, found
        if found in (None, (module, name)): return None  # no name, or a package
        module, name = found


def public():
    "The definitions behind the names of the packages' faces, each once: (package.name, module, node)."
    seen = set()
    for stub in [PACKAGE/"__init__.pyi", *sorted(PACKAGE.glob("*/__init__.pyi"))]:
        package = ".".join(stub.parent.relative_to(ROOT).parts)
        for name in parsed(package)[1]:
            found = definition(package, name)
            if found and found not in seen:
                seen.add(found)
                yield f"{package}.{name}", *found


def bases(module, node):
    "A class and its bases of ours: (module, node)."
    yield module, node
    for base in node.bases:
        found = isinstance(base, ast.Name) and definition(module, base.id)
        if found: yield from bases(*found)


# ---- comments

def comment(lines, node):
    "What the comment says that ends the line of a node."
    last = lines[node.end_lineno - 1].encode()[node.end_col_offset:].decode()
    found = re.match(r"""(?:[^#"']|"[^"]*"|'[^']*')*#\s*(.*)""", last)
    return found[1].strip() if found else ""


def parameters(lines, function):
    "Name, type, default and description of each parameter."
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None]*(len(positional) - len(arguments.defaults)) + arguments.defaults
    rows = [*zip(positional, defaults), (arguments.vararg, None),
            *zip(arguments.kwonlyargs, arguments.kw_defaults), (arguments.kwarg, None)]
    for argument, default in rows:
        if argument is None or argument.arg in ("self", "cls"): continue
        stars = "*"*(argument is arguments.vararg) + "**"*(argument is arguments.kwarg)
        text = comment(lines, default or argument)
        if function.returns and function.returns.end_lineno == argument.end_lineno: text = text.split("-> ")[0].strip()
        yield stars + argument.arg, argument.annotation, default, text


def result(lines, function):
    "Type and description of what a function returns: behind an arrow, where its parameters are on the same line."
    text = comment(lines, function.returns)
    is_shared = any(row[1] and row[1].end_lineno == function.returns.end_lineno for row in parameters(lines, function))
    return "", function.returns, None, text.partition("-> ")[2] if is_shared else text


def assigned(lines, node):
    "Name, type, default and description of what a method gives to `self`, with a comment behind it."
    for statement in ast.walk(node):
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Attribute): continue
        name, text = statement.targets[0].attr, comment(lines, statement)
        if name.endswith("_") and not name.startswith("_") and text: yield name, None, None, text


def fields(lines, node):
    "Name, type, default and description of what the body of a class declares."
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and not statement.target.id.startswith("_"):
            yield statement.target.id, statement.annotation, statement.value, comment(lines, statement)


def has_fields(node):
    "Is a class a data class or a named tuple, which is made from what its body declares?"
    parts = " ".join(map(ast.unparse, [*node.decorator_list, *node.bases]))
    return "dataclass" in parts or "NamedTuple" in parts


# ---- sections, as numpydoc has them

def described(name, annotation, default, text):
    "An entry of a section."
    kind = ast.unparse(annotation).strip("'") if annotation else ""
    is_factory = isinstance(default, ast.Call) and ast.unparse(default.func) == "field"
    if default is not None and not is_factory: kind += f"{', ' if kind else ''}default {ast.unparse(default)}"
    head = f"{name} : {kind}" if kind and name else name or kind
    return head + (f"\n{textwrap.fill(text, WIDTH, initial_indent='    ', subsequent_indent='    ')}" if text else "")


def section(title, entries):
    entries = list(entries)
    return f"{title}\n{'-'*len(title)}\n" + "\n".join(entries) if entries else ""


def attributes(module, node):
    "Attributes of a class beside its parameters, those of its bases among them, each once, as `fields` gives them."
    found = {}
    taken = {name for name, *_ in constructor(module, node)}
    taken |= {name.split(".")[1] for _, name, _ in methods(module, node)}
    for module, base in bases(module, node):
        lines = parsed(module)[0]
        for name, *about in [*fields(lines, base), *assigned(lines, base)]: found.setdefault(name, (name, *about))
    return [about for name, about in found.items() if name not in taken]


def constructor(module, node):
    "What a class is made from."
    if has_fields(node):  # those of its bases too; fitted attributes end in "_"
        of_bases = [about for module, base in reversed(list(bases(module, node))) if has_fields(base)
                    for about in fields(parsed(module)[0], base) if not about[0].endswith("_")]
        return list({name: (name, *about) for name, *about in of_bases}.values())
    for module, base in bases(module, node):
        for statement in base.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
                return list(parameters(parsed(module)[0], statement))
    return []


def told(module, node, example=""):
    "The whole text of a class or function."
    lines = parsed(module)[0]
    summary = ast.get_docstring(node) or ""
    if isinstance(node, ast.ClassDef):
        of_class = [described(*about) for about in constructor(module, node)]
        kept = [described(name, kind, None, text) for name, kind, _, text in attributes(module, node)]
        sections = [section("Parameters", of_class), section("Attributes", kept)]
    else:
        sections = [section("Parameters", [described(*about) for about in parameters(lines, node)])]
        is_result = node.returns is not None and ast.unparse(node.returns) != "None"
        if is_result: sections.append(section("Returns", [described(*result(lines, node))]))
    if example: sections.append(section("Examples", [example]))
    return "\n\n".join(filter(None, [summary, *sections]))


# ---- examples

def pages():
    "The notebooks in the order of the sidebar: (name, the code of each cell that runs, whether it is shown)."
    listed = re.findall(r"- (\S+/\S+\.ipynb)", (ROOT/"_quarto.yml").read_text(encoding="utf-8"))
    for page in listed:
        for cell in json.loads((ROOT/"nbs"/page).read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] != "code" or re.search(r"^#\| *(export|default_exp)", source, re.M): continue
            code = "\n".join(line for line in source.splitlines() if not line.startswith(("%", "!", "#|")))
            yield page, code, not re.search(r"^#\| *(hide|include: false)", source, re.M)


def uses(node):
    "The calls below a node, and the statement that each stands in, or else the call itself; no tests."
    if isinstance(node, ast.With) and "expect_fail" in ast.unparse(node.items[0]): return
    if isinstance(node, ast.ClassDef): yield from ((base, node) for base in node.bases if isinstance(base, ast.Name))
    if isinstance(node, (ast.Expr, ast.Assign)) and not ast.unparse(node).startswith(("test_", "show_doc(", "print(")):
        yield from ((call, node) for call in ast.walk(node) if isinstance(call, ast.Call))
    elif isinstance(node, ast.Call): yield node, node
    for child in ast.iter_child_nodes(node): yield from uses(child)


@functools.cache
def examples():
    "For each public name the code of the pages that uses it: {name: [(what makes it a worse example, page, code)]}."
    found = {node.name: [] for _, _, node in public()}
    for page, code, is_shown in pages():
        if not found.keys() & set(re.findall(r"\w+", code)): continue
        try: tree = ast.parse(code)
        except SyntaxError: continue
        for use, whole in uses(tree):
            called = use.func if isinstance(use, ast.Call) else use
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            owner = getattr(getattr(called, "value", None), "id", "")
            for public_name in found.keys() & {name, owner}:
                text = re.sub(r"\n\s*", " ", ast.get_source_segment(code, whole))
                if isinstance(whole, ast.ClassDef): text = ast.get_source_segment(code, whole).split("\n")[0] + " ..."
                worse = (use is called, not is_shown, name != public_name, len(text) > 120, whole is use, len(text))
                found[public_name].append((worse, page, text))
    return found


def page_of(module):
    "The notebook that a module comes from."
    return re.search(r"File to edit: (?:\.\./)+nbs/(\S+\.ipynb)", "\n".join(parsed(module)[0][:5]))[1]


def example_of(module, node):
    "The shortest code that uses a name, of its own page where there is some, else of any; or that returns the class."
    found = examples()[node.name]
    own = [about for about in found if about[1] == page_of(module)]
    if own or found: return ">>> " + min(own or found)[2]
    makers = [(other, maker) for _, other, maker in public() if isinstance(maker, ast.FunctionDef)
              and maker.returns is not None and ast.unparse(maker.returns) == node.name]
    return example_of(*makers[0]) if makers else ""


# ---- all

def methods(module, node):
    "The public methods of a class and of its bases of ours: (module, qualified name, node)."
    for module, base in bases(module, node):
        for statement in base.body:
            if isinstance(statement, ast.FunctionDef) and not statement.name.startswith("_"):
                yield module, f"{base.name}.{statement.name}", statement


def texts():
    "What is said of each object, by module and qualified name."
    found = {}
    for _, module, node in public():
        found.setdefault(module, {})[node.name] = told(module, node, example_of(module, node))
        if not isinstance(node, ast.ClassDef): continue
        for module, name, method in methods(module, node):
            text = told(module, method)
            if text != ast.get_docstring(method): found.setdefault(module, {})[name] = text
    return {module: dict(sorted(found[module].items())) for module in sorted(found)}


if __name__ == "__main__":
    text = json.dumps(texts(), indent=0, ensure_ascii=False)
    (PACKAGE/"help.json").write_text(text + "\n", encoding="utf-8", newline="\n")
