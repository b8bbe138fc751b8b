"""Measuring this machine: what `seedsoil bench` runs, one file per benchmark; benchmarks/README.md explains it."""
