"""Sphinx settings of the site; `make docs` runs them on the pages that `__main__` has gathered."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Margin backtest"
author = "the margin backtest developers"
copyright = "the margin backtest developers, Apache-2.0"  # noqa: A001
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "house"]

html_theme = "furo"
html_title = "Margin backtest"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["static"]
html_css_files = ["site.css"]
# Formulas are MathML, which browsers draw by themselves: no page asks another server for anything.
html_math_renderer = "mathml"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
# GitHub draws ```math too, so that a page reads the same there.
myst_fence_as_directive = ["math"]

# In docstrings a name in single back quotes is code.
default_role = "code"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
nitpicky = False
