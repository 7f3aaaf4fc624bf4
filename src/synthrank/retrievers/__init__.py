"""First stages: what finds candidates in a whole collection."""
