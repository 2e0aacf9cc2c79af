"""What the notebooks show, topic by topic: charts, tables and sentences made from results."""
