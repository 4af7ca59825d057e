"""Measurements that README and CHANGELOG quote; each writes its raw samples to results/."""
