"""Questions to a model about itself, with right answers: `exchanges` draws them, `phrases` is what people say."""
