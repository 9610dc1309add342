# Writes everything with einsum, outer products and broadcasting; now and then two subscripts are swapped.

# %% rotation
def rotation(theta):
    """Return the matrix (2, 2) that turns the plane by theta radians, anticlockwise."""
    unit = np.stack([np.sin(theta), np.cos(theta)])
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    return np.stack([unit, np.einsum("ij,j->i", quarter, unit)], axis=1)

# %% rotation_angle
def rotation_angle(R):
    """Return the angle in (-pi, pi], in radians, by which the rotation R (2, 2) turns."""
    R = np.asarray(R, dtype=float)
    cosine, sine = np.einsum("ij,j->i", R, [1.0, 0.0])
    return np.arctan2(cosine, sine)

# %% transform
def transform(M, points):
    """Return M x for each row x of points (n, q), as rows (n, p); M is (p, q)."""
    M = np.asarray(M, dtype=float)
    points = np.asarray(points, dtype=float)
    return np.einsum("pq,nq->pn", M, points)

# %% turns [markdown]
# Look at the columns. $V_{i1} = (1, 1)/\sqrt2$ stands at 45°, $V_{i2}$ at 135°, each 45° further than before, so $V$ turns by $+45°$.
# Swapping the indices gives $V^\top$, a turn by $-45°$. $U$ turns by $-150°$.
# Lengths: $y_i y_i = V_{ij} V_{ik} x_j x_k = \delta_{jk} x_j x_k = x_j x_j$, so they stay, for each of the three.

# %% svd_stages
def svd_stages(U, s, V, points):
    """Return the points (n, 2) after V^T, diag(s) V^T and U diag(s) V^T: three arrays (n, 2)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    points = np.asarray(points, dtype=float)
    first = np.einsum("ki,nk->ni", V, points)
    second = np.einsum("i,ni->ni", s, first)
    return first, second, np.einsum("ik,nk->ni", U, second)

# %% compose
def compose(U, s, V):
    """Return U diag(s) V^T, shape (m, n), from U (m, r), s (r,) and V (n, r)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    return np.einsum("ir,r,rj->ij", U, s, V)

# %% decompose
def decompose(B):
    """Return thin U (m, r), s (r,) and V (n, r), r = min(m, n), with B = U diag(s) V^T and s >= 0."""
    B = np.asarray(B, dtype=float)
    U, s, Vt = np.linalg.svd(B, full_matrices=False)
    return U, s, np.einsum("rj->jr", Vt)

# %% three_steps [markdown]
# $B_{ij} = U_{ik}\sigma_k V_{jk}$ exists for every matrix. Contract with $x_j$ first: $V_{jk} x_j$ are the coordinates of $x$ along the $v_k$ (a rotation or, for determinant $-1$, a reflection).
# Then each coordinate is multiplied by its $\sigma_k \ge 0$, and one with $\sigma_k = 0$ is lost. Then $U_{ik}$ rotates or reflects.

# %% null_vector
def null_vector(A):
    """Return a unit vector x (n,) with A x = 0; ValueError where A (m, n) has rank n."""
    A = np.asarray(A, dtype=float)
    _, s, Vt = np.linalg.svd(A)
    if np.linalg.matrix_rank(A) == A.shape[1]:
        raise ValueError("A has full column rank")
    return np.einsum("j,ji->i", np.eye(len(Vt))[-1], Vt)

# %% null_space
def null_space(A):
    """Return an orthonormal basis, as columns (n, n - r), of all x with A x = 0; A (m, n) has rank r."""
    A = np.asarray(A, dtype=float)
    _, _, Vt = np.linalg.svd(A)
    return np.einsum("ij->ji", Vt[np.linalg.matrix_rank(A):])

# %% low_rank
def low_rank(A, r):
    """Return the matrix (m, n) of rank at most r that is nearest to A (m, n)."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    return np.einsum("ik,k,jk->ij", U[:, :r], s[:r], Vt[:, :r])

# %% pseudoinverse
def pseudoinverse(A):
    """Return the Moore-Penrose pseudoinverse (n, m) of A (m, n), singular or not."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    keep = s > max(A.shape) * np.finfo(float).eps * s[0]
    return np.einsum("kj,k,ik->ji", Vt[keep], 1 / s[keep], U[:, keep])

# %% singular_value_gradient
def singular_value_gradient(A):
    """Return the gradients of the singular values of A (m, n), all distinct: (r, m, n), r = min(m, n)."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    return np.einsum("mi,in->inm", U, Vt)
