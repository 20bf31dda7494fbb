"""One small UMAP fit in the number type of the lab, for the compiled code that it leaves in numba's cache."""

import numpy as np
import umap

points = np.random.default_rng(0).random((50, 8), dtype=np.float32)
layout = umap.UMAP(n_neighbors=5, random_state=0, n_jobs=1).fit_transform(points)
print(f"UMAP is compiled: {len(layout)} points laid out in {layout.shape[1]} dimensions")
