"""matplotlib's figure, shown by a notebook whether or not pyplot was ever imported."""

from io import BytesIO

from matplotlib.figure import Figure

NOTEBOOK = 110  # dots per inch


class Drawing(Figure):
    """A figure that is its own picture: IPython otherwise prints `<Figure size ...>`."""

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.savefig(buffer, format="png", dpi=NOTEBOOK)
        return buffer.getvalue()
