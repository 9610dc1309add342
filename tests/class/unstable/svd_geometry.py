# Writes the formulas of the book: divides, inverts, and asks whether a number equals 0.

# %% rotation
def rotation(theta):
    """Return the matrix (2, 2) that turns the plane by theta radians, anticlockwise."""
    tangent = np.tan(theta / 2)
    cosine, sine = (1 - tangent**2) / (1 + tangent**2), 2 * tangent / (1 + tangent**2)
    return np.array([[cosine, -sine], [sine, cosine]])

# %% rotation_angle
def rotation_angle(R):
    """Return the angle in (-pi, pi], in radians, by which the rotation R (2, 2) turns."""
    R = np.asarray(R, dtype=float)
    return np.arctan(R[1, 0] / R[0, 0])

# %% transform
def transform(M, points):
    """Return M x for each row x of points (n, q), as rows (n, p); M is (p, q)."""
    M = np.asarray(M, dtype=float)
    points = np.asarray(points, dtype=float)
    return np.array([M @ x for x in points])

# %% turns [markdown]
# $\tan\theta = V_{21}/V_{11} = 1$, so $Vx$ is turned by 45° anticlockwise; $V^\top = V^{-1}$ turns by 45° clockwise.
# $\tan\theta = U_{21}/U_{11} = 1/\sqrt3$, so $U$ turns by 30° anticlockwise. As $V^\top V = I$ and $U^\top U = I$, lengths do not change.

# %% svd_stages
def svd_stages(U, s, V, points):
    """Return the points (n, 2) after V^T, diag(s) V^T and U diag(s) V^T: three arrays (n, 2)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    points = np.asarray(points, dtype=float)
    first = np.linalg.solve(V, points.T).T
    return first, first * s, (first * s) @ np.linalg.inv(U)

# %% compose
def compose(U, s, V):
    """Return U diag(s) V^T, shape (m, n), from U (m, r), s (r,) and V (n, r)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    return U @ np.diag(s) @ np.linalg.pinv(V)

# %% decompose
def decompose(B):
    """Return thin U (m, r), s (r,) and V (n, r), r = min(m, n), with B = U diag(s) V^T and s >= 0."""
    B = np.asarray(B, dtype=float)
    values, vectors = np.linalg.eigh(B.T @ B)
    r = min(B.shape)
    s = np.sqrt(np.maximum(values[::-1][:r], 0))
    V = vectors[:, ::-1][:, :r]
    return B @ V / s, s, V

# %% three_steps [markdown]
# Take the eigenvectors $v_k$ of $B^\top B$ and let $u_k = Bv_k/\sigma_k$. Both sets are orthonormal, so $B = U\Sigma V^\top$: the first factor from the right turns or reflects, the next stretches, the last turns or reflects.

# %% null_vector
def null_vector(A):
    """Return a unit vector x (n,) with A x = 0; ValueError where A (m, n) has rank n."""
    A = np.asarray(A, dtype=float)
    _, s, Vt = np.linalg.svd(A)
    if len(s) == A.shape[1] and np.all(s != 0):
        raise ValueError("A has full column rank")
    return Vt[-1]

# %% null_space
def null_space(A):
    """Return an orthonormal basis, as columns (n, n - r), of all x with A x = 0; A (m, n) has rank r."""
    A = np.asarray(A, dtype=float)
    _, s, Vt = np.linalg.svd(A)
    return Vt[np.count_nonzero(s):].T

# %% low_rank
def low_rank(A, r):
    """Return the matrix (m, n) of rank at most r that is nearest to A (m, n)."""
    A = np.asarray(A, dtype=float)
    values, V = np.linalg.eigh(A.T @ A)
    V = V[:, ::-1][:, :r]
    return A @ V @ np.linalg.inv(V.T @ V) @ V.T

# %% pseudoinverse
def pseudoinverse(A):
    """Return the Moore-Penrose pseudoinverse (n, m) of A (m, n), singular or not."""
    A = np.asarray(A, dtype=float)
    return np.linalg.inv(A.T @ A) @ A.T

# %% singular_value_gradient
def singular_value_gradient(A):
    """Return the gradients of the singular values of A (m, n), all distinct: (r, m, n), r = min(m, n)."""
    A = np.asarray(A, dtype=float)
    return numerical_jacobian(lambda X: np.linalg.svd(X, compute_uv=False), A)
