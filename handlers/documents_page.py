"""stub"""


def render_page(openapi, asyncapi):
    return "x"
