"""Stage figures: what tables show, drawn as SVG and PDF out of one Vega-Lite specification each."""
