"""`make new-source name=x`: copy this folder to `sources/x` and `staging/` to the dbt project.

Belongs here: copying and renaming. Does not belong here: anything of a connector (the files
beside this one, which are a working connector named `template`).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
NAME = re.compile(r"[a-z][a-z0-9]{1,30}")
ENTITIES = ("order_lines", "return_lines", "marketplaces", "reasons")


def renamed(text: str, name: str) -> str:
    """The template's text with its name, in the three ways it is written, replaced."""
    text = text.replace("TEMPLATE_", f"{name.upper()}_")
    return text.replace("Template", name.capitalize()).replace("template", name)


def planned(name: str, root: Path) -> Iterator[tuple[Path, Path]]:
    """Pairs of template file and its copy."""
    staging = root / "dbt_project" / "models" / "staging" / name
    for source in sorted(p for p in HERE.rglob("*") if p.is_file()):
        inner = source.relative_to(HERE)
        if inner.parts[0] in ("__main__.py", "__pycache__"):
            continue
        if inner.parts[0] == "staging":
            yield source, staging / renamed(inner.name, name)
        else:
            yield source, root / "sources" / name / inner


def copy_template(name: str, root: Path) -> list[Path]:
    """Write the new source; nothing is overwritten."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a source: lower-case letters and digits only")
    plan = list(planned(name, root))
    taken = [target for _source, target in plan if target.exists()]
    if taken:
        raise FileExistsError(f"{taken[0].relative_to(root)} exists: choose another name")
    for source, target in plan:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(renamed(source.read_text("utf-8"), name), encoding="utf-8")
    return [target for _source, target in plan]


def main(arguments: Sequence[str] | None = None) -> int:
    """Copy, then say what is left to do."""
    parser = argparse.ArgumentParser(prog="make new-source", description=__doc__.splitlines()[0])
    parser.add_argument("name", help="name of the new source, for example etsy")
    name = parser.parse_args(arguments).name
    root = HERE.parents[1]
    try:
        written = copy_template(name, root)
    except (ValueError, FileExistsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"{path.relative_to(root)}\n" for path in written))
    sys.stdout.write(
        "Now add this line under vars: connectors: in dbt_project/dbt_project.yml\n"
        f"    {name}: [{', '.join(ENTITIES)}]\n"
        "and make the client, the streams, the code lists and the staging models your API's.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
