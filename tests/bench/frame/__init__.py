"""What all benchmarks stand on: their results, the corpus, real nodes and servers. Nothing here is a benchmark."""
