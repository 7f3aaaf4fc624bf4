"""Stage releases: data sets ready to publish, each a folder with its data, a card and checksums."""
