"""What no audit can say, in the words that the page and the dataset card share."""

from __future__ import annotations

CANNOT_SAY = (
    "Who people are. Labels are perceived or estimated by somebody, not what people say of themselves.",
    "What causes what. That clusters and a group go together is an association; what the set does not record can"
    " always lie behind it.",
    "Anything about people outside the set. A set of pictures is not a population, and its intervals say how sure its"
    " own numbers are, not how well it was drawn.",
    "Whether a model is fair. A latent space that sorts people makes unequal treatment possible; only a model's"
    " decisions can show it.",
)
