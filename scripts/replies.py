"""Describe, export, import or merge the store of replies."""

from synthrank.llms.store.manage import main

main()
