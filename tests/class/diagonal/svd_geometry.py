# Thinks entry by entry: drops cross terms, multiplies with * where @ belongs.

# %% rotation
def rotation(theta):
    """Return the matrix (2, 2) that turns the plane by theta radians, anticlockwise."""
    return np.cos(theta) * np.array([[1, 0], [0, 1]]) + np.sin(theta) * np.array([[0, -1], [1, 0]])

# %% rotation_angle
def rotation_angle(R):
    """Return the angle in (-pi, pi], in radians, by which the rotation R (2, 2) turns."""
    R = np.asarray(R, dtype=float)
    return np.sign(R[1, 0]) * np.arccos(np.clip(np.trace(R) / 2, -1, 1))

# %% transform
def transform(M, points):
    """Return M x for each row x of points (n, q), as rows (n, p); M is (p, q)."""
    M = np.asarray(M, dtype=float)
    points = np.asarray(points, dtype=float)
    return points * np.diag(M)

# %% turns [markdown]
# $V$ has $1/\sqrt2$ on the diagonal, so each coordinate is multiplied by $1/\sqrt2$ and then something is added. This is a turn by 45° to the left; the transpose turns to the right; $U$ turns by 150°.

# %% svd_stages
def svd_stages(U, s, V, points):
    """Return the points (n, 2) after V^T, diag(s) V^T and U diag(s) V^T: three arrays (n, 2)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    points = np.asarray(points, dtype=float)
    return points @ V, points * s, points @ U.T

# %% compose
def compose(U, s, V):
    """Return U diag(s) V^T, shape (m, n), from U (m, r), s (r,) and V (n, r)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    return U * s * V

# %% decompose
def decompose(B):
    """Return thin U (m, r), s (r,) and V (n, r), r = min(m, n), with B = U diag(s) V^T and s >= 0."""
    B = np.asarray(B, dtype=float)
    U, s, Vt = np.linalg.svd(B, full_matrices=False)
    return U, np.diag(s), Vt.T

# %% three_steps [markdown]
# After $V^\top$ the matrix is diagonal, and a diagonal matrix just multiplies each coordinate by its own number. Then $U$ turns everything. The SVD says that this is always possible.

# %% null_vector
def null_vector(A):
    """Return a unit vector x (n,) with A x = 0; ValueError where A (m, n) has rank n."""
    A = np.asarray(A, dtype=float)
    _, s, Vt = np.linalg.svd(A)
    if np.linalg.matrix_rank(A) == A.shape[1]:
        raise ValueError("A has full column rank")
    return -Vt[-1]

# %% null_space
def null_space(A):
    """Return an orthonormal basis, as columns (n, n - r), of all x with A x = 0; A (m, n) has rank r."""
    A = np.asarray(A, dtype=float)
    projection = np.eye(A.shape[1]) - np.linalg.pinv(A, rcond=1e-13) @ A
    values, vectors = np.linalg.eigh(projection)
    return vectors[:, values > 0.5]

# %% low_rank
def low_rank(A, r):
    """Return the matrix (m, n) of rank at most r that is nearest to A (m, n)."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    s = s * (np.arange(len(s)) < r)
    return U * s @ Vt

# %% pseudoinverse
def pseudoinverse(A):
    """Return the Moore-Penrose pseudoinverse (n, m) of A (m, n), singular or not."""
    A = np.asarray(A, dtype=float)
    return 1 / A

# %% singular_value_gradient
def singular_value_gradient(A):
    """Return the gradients of the singular values of A (m, n), all distinct: (r, m, n), r = min(m, n)."""
    A = np.asarray(A, dtype=float)
    r = min(A.shape)
    gradient = np.zeros((r, *A.shape))
    for i in range(r):
        gradient[i, i, i] = 1
    return gradient
