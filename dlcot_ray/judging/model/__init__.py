"""A judge that asks a language model. The way of a trace through the files:

`windows` (what of it fits one prompt) -> `frame` (token ids, its text as plain text) -> `program` (which
question when, over an `engine`) -> `answers` (the language of each answer, and its reading) ->
`structure` (answers and evidence become an annotation) -> `judge`. `writer` asks for repairs and bridges.
"""
