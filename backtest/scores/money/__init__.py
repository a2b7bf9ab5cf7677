"""The cost of margins, and the losses that they did not cover, in USD."""
