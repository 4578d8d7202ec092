"""Questions to a model about itself, with right answers: `exchanges` draws them out of what people say."""
