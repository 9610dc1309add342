# Learned it the other way round: rows for columns, left for right, transposes where there are none.

# %% rotation
def rotation(theta):
    """Return the matrix (2, 2) that turns the plane by theta radians, anticlockwise."""
    return np.array([[np.cos(theta), np.sin(theta)], [-np.sin(theta), np.cos(theta)]])

# %% rotation_angle
def rotation_angle(R):
    """Return the angle in (-pi, pi], in radians, by which the rotation R (2, 2) turns."""
    R = np.asarray(R, dtype=float)
    return np.arctan2(R[0, 1], R[0, 0])

# %% transform
def transform(M, points):
    """Return M x for each row x of points (n, q), as rows (n, p); M is (p, q)."""
    M = np.asarray(M, dtype=float)
    points = np.asarray(points, dtype=float)
    return (M @ points.T).T

# %% turns [markdown]
# The rows of $V$ are $(1, -1)/\sqrt2$ and $(1, 1)/\sqrt2$, so $e_1$ goes to $-45°$: $V$ turns clockwise by 45° and $V^\top$ anticlockwise. $U$ turns by $+150°$. Lengths stay since the rows are orthonormal.

# %% svd_stages
def svd_stages(U, s, V, points):
    """Return the points (n, 2) after V^T, diag(s) V^T and U diag(s) V^T: three arrays (n, 2)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    points = np.asarray(points, dtype=float)
    first = (V @ points.T).T
    second = (np.diag(s) @ first.T).T
    return first, second, (U @ second.T).T

# %% compose
def compose(U, s, V):
    """Return U diag(s) V^T, shape (m, n), from U (m, r), s (r,) and V (n, r)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    return (V @ np.diag(s) @ U.T).T

# %% decompose
def decompose(B):
    """Return thin U (m, r), s (r,) and V (n, r), r = min(m, n), with B = U diag(s) V^T and s >= 0."""
    B = np.asarray(B, dtype=float)
    U, s, V = np.linalg.svd(B, full_matrices=False)
    return U, s, V

# %% three_steps [markdown]
# $B = U\Sigma V^\top$ for every matrix. $U$ rotates first, then $\Sigma$ stretches along the axes, then $V^\top$ rotates back. A factor with determinant $-1$ reflects.

# %% null_vector
def null_vector(A):
    """Return a unit vector x (n,) with A x = 0; ValueError where A (m, n) has rank n."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A.T)
    if np.linalg.matrix_rank(A) == A.shape[1]:
        raise ValueError("A has full column rank")
    return U[:, -1]

# %% null_space
def null_space(A):
    """Return an orthonormal basis, as columns (n, n - r), of all x with A x = 0; A (m, n) has rank r."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A)
    return Vt[np.linalg.matrix_rank(A):]

# %% low_rank
def low_rank(A, r):
    """Return the matrix (m, n) of rank at most r that is nearest to A (m, n)."""
    A = np.asarray(A, dtype=float)
    V, s, Ut = np.linalg.svd(A.T, full_matrices=False)
    return Ut.T[:, :r] @ np.diag(s[:r]) @ V.T[:r]

# %% pseudoinverse
def pseudoinverse(A):
    """Return the Moore-Penrose pseudoinverse (n, m) of A (m, n), singular or not."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    keep = s > max(A.shape) * np.finfo(float).eps * s[0]
    return U[:, keep] @ np.diag(1 / s[keep]) @ Vt[keep]

# %% singular_value_gradient
def singular_value_gradient(A):
    """Return the gradients of the singular values of A (m, n), all distinct: (r, m, n), r = min(m, n)."""
    A = np.asarray(A, dtype=float)
    V, s, Ut = np.linalg.svd(A.T, full_matrices=False)
    return np.stack([np.outer(v, u).T for v, u in zip(V.T, Ut)])
