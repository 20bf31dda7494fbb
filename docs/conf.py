"""How Sphinx makes the static book; scripts/book.py prepares what it reads and calls it."""

project = "contrastive_lab"
author = "contrastive_lab contributors"
copyright = "contrastive_lab contributors, text CC BY 4.0"
extensions = ["myst_nb", "sphinx.ext.mathjax"]
exclude_patterns = ["static", "toc.md", "cache"]
suppress_warnings = ["myst.header", "myst.xref_missing", "mystnb.unknown_mime_type"]

# Notebooks arrive with the outputs they should show.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "See contrastive learning"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
# The summary of a hit would be fetched, which browsers forbid to pages opened from a file.
html_show_search_summary = False

# MathJax lies beside the pages, drawn as SVG: no fonts and no network.
mathjax_path = "mathjax/tex-svg.js"
mathjax3_config = {"options": {"enableMenu": False}, "svg": {"fontCache": "global"}}
