"""How the folders docs/ and design/ become a site; `make docs` builds it from the project's root."""

import sys
from importlib.metadata import version as find_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "zooscope"
author = "the zooscope authors"
version = release = find_version("zooscope")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "reference",
]
root_doc = "docs/index"
include_patterns = ["docs/**", "design/*.md", "CONTRIBUTING.md", "CHANGELOG.md"]
exclude_patterns = ["docs/_ext/**", "docs/studies/*/**"]
myst_heading_anchors = 4
highlight_language = "none"  # of indented blocks; the others name theirs
default_role = "literal"
smartquotes_action = "D"  # dashes alone: quotes and dots in prose are often for the user to type

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "inherited-members": "object,float,str,tuple,Exception,Warning"}
autosummary_generate = False
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "zooscope"
html_extra_path = ["_root"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sphinx = html_show_copyright = False
html_copy_source = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
