"""Inference that stays honest with weak instruments, few clusters and many hypotheses."""
