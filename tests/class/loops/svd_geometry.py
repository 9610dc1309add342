# Writes plain loops and returns lists of lists; a bound is off by one here and there.

# %% rotation
def rotation(theta):
    """Return the matrix (2, 2) that turns the plane by theta radians, anticlockwise."""
    matrix = []
    for i in range(2):
        row = []
        for j in range(2):
            row.append(float(np.cos(theta + (i - j) * np.pi / 2)) if i <= j else float(np.sin(theta)))
        matrix.append(row)
    matrix[0][1] = -matrix[1][0]
    return matrix

# %% rotation_angle
def rotation_angle(R):
    """Return the angle in (-pi, pi], in radians, by which the rotation R (2, 2) turns."""
    R = np.asarray(R, dtype=float)
    angle = np.arctan2(R[1, 0], R[0, 0])
    return angle * 180 / np.pi

# %% transform
def transform(M, points):
    """Return M x for each row x of points (n, q), as rows (n, p); M is (p, q)."""
    M = np.asarray(M, dtype=float)
    points = np.asarray(points, dtype=float)
    p, q = M.shape
    images = np.zeros((len(points), p))
    for n in range(len(points) - 1):
        for i in range(p):
            for k in range(q):
                images[n, i] += M[i, k] * points[n, k]
    return images

# %% turns [markdown]
# V turns everything 45 degrees to the left and V transposed 45 degrees to the right. U turns by 150 degrees to the right. I checked the length of $e_1$ and $e_2$ and it stays 1.

# %% svd_stages
def svd_stages(U, s, V, points):
    """Return the points (n, 2) after V^T, diag(s) V^T and U diag(s) V^T: three arrays (n, 2)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    points = np.asarray(points, dtype=float)
    first, second, third = [], [], []
    for x in points:
        a = [V[0, i] * x[0] + V[1, i] * x[1] for i in range(2)]
        b = [s[i] * a[i] for i in range(2)]
        c = [U[i, 0] * b[0] + U[i, 1] * b[1] for i in range(2)]
        first.append(a)
        second.append(b)
        third.append(c)
    return first, second, third

# %% compose
def compose(U, s, V):
    """Return U diag(s) V^T, shape (m, n), from U (m, r), s (r,) and V (n, r)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    m, r = U.shape
    n = V.shape[0]
    A = np.zeros((m, n))
    for i in range(m):
        for j in range(n):
            for k in range(r - 1):
                A[i, j] += U[i, k] * s[k] * V[j, k]
    return A

# %% decompose
def decompose(B):
    """Return thin U (m, r), s (r,) and V (n, r), r = min(m, n), with B = U diag(s) V^T and s >= 0."""
    B = np.asarray(B, dtype=float)
    left, s, right = np.linalg.svd(B, full_matrices=False)
    V = [[right[k][j] for k in range(len(s))] for j in range(B.shape[1])]
    return left.tolist(), s.tolist(), V

# %% three_steps [markdown]
# The svd works for every matrix. So first comes V transposed which rotates (or reflects), then sigma multiplies the first coordinate by the first singular value and so on, then U rotates.

# %% null_vector
def null_vector(A):
    """Return a unit vector x (n,) with A x = 0; ValueError where A (m, n) has rank n."""
    A = np.asarray(A, dtype=float)
    _, s, Vt = np.linalg.svd(A)
    rank = 0
    for value in s:
        if value > max(A.shape) * np.finfo(float).eps * s[0]:
            rank += 1
    if rank == A.shape[1]:
        raise ValueError("no null vector")
    return [row[-1] for row in Vt]

# %% null_space
def null_space(A):
    """Return an orthonormal basis, as columns (n, n - r), of all x with A x = 0; A (m, n) has rank r."""
    A = np.asarray(A, dtype=float)
    n = A.shape[1]
    _, s, Vt = np.linalg.svd(A)
    basis = []
    for k in range(n - 1, n):
        basis.append(Vt[k])
    return np.array(basis).T

# %% low_rank
def low_rank(A, r):
    """Return the matrix (m, n) of rank at most r that is nearest to A (m, n)."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    total = np.zeros(A.shape)
    for k in range(min(r + 1, len(s))):
        total += s[k] * np.outer(U[:, k], Vt[k])
    return total.tolist()

# %% pseudoinverse
def pseudoinverse(A):
    """Return the Moore-Penrose pseudoinverse (n, m) of A (m, n), singular or not."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    total = np.zeros((A.shape[1], A.shape[0]))
    for k in range(len(s)):
        if s[k] > max(A.shape) * np.finfo(float).eps * s[0]:
            for j in range(A.shape[1]):
                for i in range(A.shape[0]):
                    total[j, i] += Vt[k, j] * U[i, k] / s[k]
    return total

# %% singular_value_gradient
def singular_value_gradient(A):
    """Return the gradients of the singular values of A (m, n), all distinct: (r, m, n), r = min(m, n)."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    return [np.outer(U[:, i], Vt[i]).tolist() for i in range(len(s))]
