"""From one notebook to a class: grade submissions in worker processes, and write what comes out."""
