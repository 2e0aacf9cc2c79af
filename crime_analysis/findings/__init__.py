"""What the figures and the models say of each question, as tables and small records.

One module a question, from shipped tables and fits to numbers: no charts, no sentences, no
formatting. ``story`` shows what is worked out here, and the notebooks call both.
"""
