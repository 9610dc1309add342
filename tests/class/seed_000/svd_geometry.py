# Question 2 of this student, formula by formula. The null vector is the one that fits the plane of the exercise.

# %% transform
def transform(M, points):
    """Return M x for each row x of points (n, q), as rows (n, p); M is (p, q)."""
    M = np.asarray(M, dtype=float)
    points = np.asarray(points, dtype=float)
    return np.array([M @ x for x in points])

# %% turns [markdown]
# $$V\begin{bmatrix}1\\0\end{bmatrix} = \begin{bmatrix}\frac{1}{\sqrt2}\\\frac{1}{\sqrt2}\end{bmatrix}, \qquad V\begin{bmatrix}0\\1\end{bmatrix} = \begin{bmatrix}-\frac{1}{\sqrt2}\\\frac{1}{\sqrt2}\end{bmatrix}$$
#
# $Vx$: spin. $V^\top x$: spin $\vec{x}$.

# %% svd_stages
def svd_stages(U, s, V, points):
    """Return the points (n, 2) after V^T, diag(s) V^T and U diag(s) V^T: three arrays (n, 2)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    points = np.asarray(points, dtype=float)
    after_V = np.array([V.T @ x for x in points])
    after_Sigma = np.array([np.diag(s) @ V.T @ x for x in points])
    return after_V, after_Sigma, np.array([U @ np.diag(s) @ V.T @ x for x in points])

# %% compose
def compose(U, s, V):
    """Return U diag(s) V^T, shape (m, n), from U (m, r), s (r,) and V (n, r)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    Sigma = np.diag(s)
    return U @ Sigma @ V.T

# %% three_steps [markdown]
# Calculate the SVD of $B$: $B = U\Sigma V^\top$. $\therefore$ $V^\top$ rotates the vector, $\Sigma$ rescales, $U$ rotates again.

# %% null_vector
def null_vector(A):
    """Return a unit vector x (n,) with A x = 0; ValueError where A (m, n) has rank n."""
    A = np.asarray(A, dtype=float)
    _, s, Vt = np.linalg.svd(A)
    v = Vt[0]
    return np.array([v[1], -v[0]])
