"""Measurements that README and CHANGELOG quote: one runner, cases as small files, baselines in their own environments.

python -m benchmarks run [CASE...]    measure, and write raw samples to results/*.json
python -m benchmarks report           results/*.json -> docs/pictures/speed.svg and README's table
python -m benchmarks prepare          make the baselines' environments beforehand
"""
