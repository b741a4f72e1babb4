"""A judge that asks a language model. A trace passes through these modules:

`windows` (what of it fits one prompt) -> `frame` (token ids, text as plain text) -> `program` (asks the
questions of `table` in order, through `asking`) -> `answers` (the language of each answer, and its reading)
-> `structure` and `assembly` (answers and evidence become an annotation) -> `judge`. `writer` asks for
repairs and bridges; `dry_run` counts tokens without a model.
"""
