# Returns float32, and (n, 1) for (n,); rounds, clips, and compares with bounds of their own.

# %% rotation
def rotation(theta):
    """Return the matrix (2, 2) that turns the plane by theta radians, anticlockwise."""
    R = np.array([[np.cos(theta), -np.sin(theta)], [np.sin(theta), np.cos(theta)]])
    return np.round(R, 2)

# %% rotation_angle
def rotation_angle(R):
    """Return the angle in (-pi, pi], in radians, by which the rotation R (2, 2) turns."""
    R = np.asarray(R, dtype=float)
    return np.float32(np.arcsin(np.clip(R[1, 0], -1, 1)))

# %% transform
def transform(M, points):
    """Return M x for each row x of points (n, q), as rows (n, p); M is (p, q)."""
    M = np.asarray(M, dtype=float)
    points = np.asarray(points, dtype=float)
    return (points @ M.T).astype(np.float32)

# %% turns [markdown]
# $V$ rotates by 0.785 (that is 45°) anticlockwise, $V^\top$ by 0.785 clockwise and $U$ by 2.618 clockwise. Up to rounding all lengths stay the same, because the columns have length 1.00 and are orthogonal.

# %% svd_stages
def svd_stages(U, s, V, points):
    """Return the points (n, 2) after V^T, diag(s) V^T and U diag(s) V^T: three arrays (n, 2)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    points = np.asarray(points, dtype=float)
    first = points @ V
    second = first * s
    third = second @ U.T
    return first.astype(np.float32), second.astype(np.float32), third.astype(np.float32)

# %% compose
def compose(U, s, V):
    """Return U diag(s) V^T, shape (m, n), from U (m, r), s (r,) and V (n, r)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    return np.float32(U @ np.diag(s) @ V.T)

# %% decompose
def decompose(B):
    """Return thin U (m, r), s (r,) and V (n, r), r = min(m, n), with B = U diag(s) V^T and s >= 0."""
    B = np.asarray(B, dtype=float)
    U, s, Vt = np.linalg.svd(B, full_matrices=False)
    return U.astype(np.float32), s.astype(np.float32).reshape(-1, 1), Vt.T.astype(np.float32)

# %% three_steps [markdown]
# Every matrix has an SVD $B = U\Sigma V^\top$. $V^\top$ and $U$ are orthogonal, so they rotate or reflect (look at the sign of the determinant) and $\Sigma$ stretches the axes. The order is right to left, because $x$ stands on the right.

# %% null_vector
def null_vector(A):
    """Return a unit vector x (n,) with A x = 0; ValueError where A (m, n) has rank n."""
    A = np.asarray(A, dtype=float)
    _, s, Vt = np.linalg.svd(A)
    if len(s) == A.shape[1] and s[-1] > 1e-6:
        raise ValueError("A has full column rank")
    return Vt[-1].reshape(-1, 1)

# %% null_space
def null_space(A):
    """Return an orthonormal basis, as columns (n, n - r), of all x with A x = 0; A (m, n) has rank r."""
    A = np.asarray(A, dtype=float)
    _, s, Vt = np.linalg.svd(A)
    return Vt[np.sum(s > 1e-6):].T.astype(np.float32)

# %% low_rank
def low_rank(A, r):
    """Return the matrix (m, n) of rank at most r that is nearest to A (m, n)."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    s[s <= r] = 0
    return (U * s) @ Vt

# %% pseudoinverse
def pseudoinverse(A):
    """Return the Moore-Penrose pseudoinverse (n, m) of A (m, n), singular or not."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    keep = s > 1e-8
    return (Vt[keep].T / s[keep]) @ U[:, keep].T

# %% singular_value_gradient
def singular_value_gradient(A):
    """Return the gradients of the singular values of A (m, n), all distinct: (r, m, n), r = min(m, n)."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    return np.float32(U.T[:, :, None] * Vt[:, None, :])
