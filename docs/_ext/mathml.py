"""Formulas as MathML, which browsers draw themselves: no script, no font and nothing from another server."""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.errors import SphinxError


def mathml(node, as_block):
    """The formula of a node as MathML; a formula that cannot be translated stops the build."""
    try:
        return tex2mathml(node.astext(), as_block=as_block)
    except Exception as error:
        raise SphinxError(f"{node.source}:{node.line}: formula {node.astext()!r} has no MathML: {error}") from error


def visit_inline(translator, node):
    """Write an inline formula."""
    translator.body.append(mathml(node, as_block=False))
    raise nodes.SkipNode


def visit_block(translator, node):
    """Write a displayed formula, with its number if it has one."""
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({node["number"]})</span>')
    translator.body.append(mathml(node, as_block=True) + "</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx):
    """Register the renderer under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
