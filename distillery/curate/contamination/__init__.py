"""Which benchmark question a text repeats.

`token_table` takes each text apart once, `gram_index` holds the benchmarks' grams as sorted arrays, `overlap`
decides what kind of repetition it is: verbatim, with other numbers, in long runs of words, or reworded.
"""
