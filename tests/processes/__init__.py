"""Real processes for the Python scripts under tests/: programs that end with the script, and clusters.

A script puts the folder tests/ on its path before it, or a module of its own folder, imports from here:

  sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
  from processes.cluster import Cluster
"""
