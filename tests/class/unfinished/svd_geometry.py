# Answers half of it: prints where a return belongs, leaves a misspelt name, guesses once. Leaves the rest, and all words.

# %% rotation
def rotation(theta):
    """Return the matrix (2, 2) that turns the plane by theta radians, anticlockwise."""
    c, s = np.cos(theta), np.sin(theta)
    return np.array([[c, s], [s, -c]])

# %% rotation_angle
def rotation_angle(R):
    """Return the angle in (-pi, pi], in radians, by which the rotation R (2, 2) turns."""
    R = np.asarray(R, dtype=float)
    return np.arctan2(R[1, 0], R[0, 0])

# %% transform
def transform(M, points):
    """Return M x for each row x of points (n, q), as rows (n, p); M is (p, q)."""
    M = np.asarray(M, dtype=float)
    points = np.asarray(points, dtype=float)
    return points @ M.T

# %% svd_stages
def svd_stages(U, s, V, points):
    """Return the points (n, 2) after V^T, diag(s) V^T and U diag(s) V^T: three arrays (n, 2)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    points = np.asarray(points, dtype=float)
    first = points @ V
    second = first * s
    print(first, second, second @ U.T)

# %% compose
def compose(U, s, V):
    """Return U diag(s) V^T, shape (m, n), from U (m, r), s (r,) and V (n, r)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    return U @ np.diagonal_matrix(s) @ V.T

# %% null_space
def null_space(A):
    """Return an orthonormal basis, as columns (n, n - r), of all x with A x = 0; A (m, n) has rank r."""
    A = np.asarray(A, dtype=float)
    _, s, Vt = np.linalg.svd(A)
    rank = np.linalg.matrix_rank(A)
    return Vt[:rank].T

# %% low_rank
def low_rank(A, r):
    """Return the matrix (m, n) of rank at most r that is nearest to A (m, n)."""
    A = np.asarray(A, dtype=float)
    return np.full(A.shape, 42.0)

# %% pseudoinverse
def pseudoinverse(A):
    """Return the Moore-Penrose pseudoinverse (n, m) of A (m, n), singular or not."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    return Vt.T @ np.diag(s) @ U.T
