"""The project's source as it lies in its folders, for the tests that judge its shape."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ROOT_MODULES = {"__init__.py", "__main__.py", "cli.py", "errors.py"}
"""The only Python files the root may hold: whatever lies there is shipped."""


def package_folders(root: Path = ROOT) -> list[Path]:
    """The folders below the root that are packages, those within others too."""
    tops = [folder for folder in root.iterdir() if folder.is_dir() and (folder / "__init__.py").exists()]
    return sorted(init.parent for top in tops for init in top.rglob("__init__.py"))


def top_folders(root: Path = ROOT) -> list[Path]:
    """The package folders that lie directly in the root."""
    return [folder for folder in package_folders(root) if folder.parent == root]


def shipped_files(root: Path = ROOT) -> list[Path]:
    """Every file that belongs in a wheel, relative to the root: all there is in a package folder counts."""
    files = [path for top in top_folders(root) for path in top.rglob("*") if path.is_file()]
    files += [*root.glob("*.py"), root / "py.typed"]
    return sorted(path.relative_to(root) for path in files if "__pycache__" not in path.parts)


def python_files(root: Path = ROOT) -> list[Path]:
    """Every Python file a person wrote, tests and examples too, relative to the root."""
    others = [
        path.relative_to(root)
        for name in ("ci", "examples", "findings", "tests")
        for path in (root / name).rglob("*.py")
    ]
    return sorted([path for path in shipped_files(root) if path.suffix == ".py"] + others)
