"""Stage figures: charts of the tables as SVG, PDF and Vega-Lite."""
