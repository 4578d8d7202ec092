"""What a judging model is shown, and how its reply is read. Pure but for `votes`, which are requests.

Shown: `defuse` takes from an untrusted text whatever could pass for the prompt, `shown_conversation` is what
stood before it, `pairing` says who meets whom in which order. Read: `correctness`, `preference`, `rubric`,
`safety`, and `reply_schema` for servers that hold a model to a form. `trust` and `chrf` measure the judges.
"""
