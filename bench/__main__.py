"""``python -m bench [name…]``: the measurements, each a module of this folder with a ``main()``.

Figures are ratios against something measured in the same run, so that they compare across machines.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def main() -> None:
    """Run the named measurements, or all of them."""
    names = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_"))
    wanted = sys.argv[1:] or names
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        sys.exit(f"bench: no {', '.join(unknown)}; there are {', '.join(names)}")
    for name in wanted:
        print(f"# {name}", flush=True)
        importlib.import_module(f"bench.{name}").main()


main()
