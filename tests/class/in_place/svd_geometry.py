# Saves memory: writes results over the arguments. Where nothing is overwritten, all is right.

# %% rotation
def rotation(theta):
    """Return the matrix (2, 2) that turns the plane by theta radians, anticlockwise."""
    R = np.eye(2)
    R *= np.cos(theta)
    R[1, 0] += np.sin(theta)
    R[0, 1] -= np.sin(theta)
    return R

# %% rotation_angle
def rotation_angle(R):
    """Return the angle in (-pi, pi], in radians, by which the rotation R (2, 2) turns."""
    R = np.asarray(R, dtype=float)
    return np.arctan2(R[1, 0], R[1, 1])

# %% transform
def transform(M, points):
    """Return M x for each row x of points (n, q), as rows (n, p); M is (p, q)."""
    M = np.asarray(M, dtype=float)
    points = np.asarray(points, dtype=float)
    for n in range(len(points)):
        points[n] = M @ points[n]
    return points

# %% turns [markdown]
# $V = R(45°)$, so $Vx$ is $x$ turned anticlockwise by 45°. $V^\top = R(-45°)$ turns it back. $U = R(-150°)$ turns clockwise by 150°.
# For an orthogonal matrix $|Qx|^2 = x^\top Q^\top Q x = |x|^2$. No length changes.

# %% svd_stages
def svd_stages(U, s, V, points):
    """Return the points (n, 2) after V^T, diag(s) V^T and U diag(s) V^T: three arrays (n, 2)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    points = np.asarray(points, dtype=float)
    points[:] = points @ V
    first = points
    points *= s
    second = points
    points[:] = points @ U.T
    third = points
    return first, second, third

# %% compose
def compose(U, s, V):
    """Return U diag(s) V^T, shape (m, n), from U (m, r), s (r,) and V (n, r)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    U *= s
    return U @ V.T

# %% decompose
def decompose(B):
    """Return thin U (m, r), s (r,) and V (n, r), r = min(m, n), with B = U diag(s) V^T and s >= 0."""
    B = np.asarray(B, dtype=float)
    U, s, Vt = np.linalg.svd(B, full_matrices=False)
    U *= -1
    Vt *= -1
    return U, s, Vt.T

# %% three_steps [markdown]
# By the singular value decomposition $B = U\Sigma V^\top$ for every $B$. Since $x$ meets $V^\top$ first, it is first rotated or reflected, then each axis is stretched by its singular value (flattened where that is 0), then rotated or reflected by $U$. $\det = -1$ means a reflection.

# %% null_vector
def null_vector(A):
    """Return a unit vector x (n,) with A x = 0; ValueError where A (m, n) has rank n."""
    A = np.asarray(A, dtype=float)
    _, s, Vt = np.linalg.svd(A)
    rank = np.count_nonzero(s > s[0] * 1e-13)
    if rank == A.shape[1]:
        raise ValueError("full column rank")
    x = Vt[rank]
    x /= np.linalg.norm(x)
    return x

# %% null_space
def null_space(A):
    """Return an orthonormal basis, as columns (n, n - r), of all x with A x = 0; A (m, n) has rank r."""
    A = np.asarray(A, dtype=float)
    _, s, Vt = np.linalg.svd(A)
    rank = np.count_nonzero(s > s[0] * 1e-13)
    return Vt.T[:, rank:]

# %% low_rank
def low_rank(A, r):
    """Return the matrix (m, n) of rank at most r that is nearest to A (m, n)."""
    A = np.asarray(A, dtype=float)
    total = np.zeros(A.shape)
    for _ in range(r):
        U, s, Vt = np.linalg.svd(A)
        term = s[0] * np.outer(U[:, 0], Vt[0])
        total += term
        A -= term
    return total

# %% pseudoinverse
def pseudoinverse(A):
    """Return the Moore-Penrose pseudoinverse (n, m) of A (m, n), singular or not."""
    A = np.asarray(A, dtype=float)
    scale = np.linalg.norm(A)
    A /= scale
    return np.linalg.pinv(A) / scale

# %% singular_value_gradient
def singular_value_gradient(A):
    """Return the gradients of the singular values of A (m, n), all distinct: (r, m, n), r = min(m, n)."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    gradient = np.empty((len(s), *A.shape))
    for i in range(len(s)):
        np.outer(U[:, i], Vt[i], out=gradient[i])
    return gradient
