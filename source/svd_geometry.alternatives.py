# Right answers to svd_geometry written otherwise: each keeps every point.

# %% rotation
# a float32 result
def rotation(theta):
    return np.array([[np.cos(theta), np.sin(-theta)], [np.sin(theta), np.cos(-theta)]], dtype=np.float32)

# %% rotation
# lists of Python numbers, rows of different origin
def rotation(theta):
    c, s = float(np.cos(theta)), float(np.sin(theta))
    return [[c, -s], [s, c]]

# %% rotation
# the turn by theta as a linear combination, with an outer product and integers
def rotation(theta):
    return np.cos(theta) * np.eye(2, dtype=int) + np.sin(theta) * np.array([[0, -1], [1, 0]])

# %% rotation_angle
# arccos, and the sign from the sine
def rotation_angle(R):
    angle = np.arccos(np.clip(np.asarray(R, dtype=float)[0][0], -1, 1))
    return angle if R[1][0] >= 0 else -angle

# %% rotation_angle
# a complex logarithm, from both columns
def rotation_angle(R):
    R = np.array(R, dtype=float)
    z = (R[0, 0] + R[1, 1]) + 1j * (R[1, 0] - R[0, 1])
    return np.log(z).imag

# %% rotation_angle
# arctan and quadrants by hand; a quarter turn divides by zero on the way
def rotation_angle(R):
    R = np.asarray(R, dtype=float)
    angle = np.arctan(R[1, 0] / R[0, 0])
    if R[0, 0] < 0:
        angle += np.pi if R[1, 0] >= 0 else -np.pi
    return np.array([angle])

# %% transform
# einsum
def transform(M, points):
    return np.einsum("pq,nq->np", M, points)

# %% transform
# three loops, and a list of lists
def transform(M, points):
    images = []
    for x in points:
        image = []
        for row in M:
            total = 0.0
            for a, b in zip(row, x):
                total += float(a) * float(b)
            image.append(total)
        images.append(image)
    return images

# %% transform
# columns, and back
def transform(M, points):
    return (np.asarray(M) @ np.asarray(points).T).T

# %% svd_stages
# the inverse for the transpose, one point at a time
def svd_stages(U, s, V, points):
    turned = np.array([np.linalg.inv(V) @ x for x in np.asarray(points, dtype=float)])
    stretched = np.array([np.diag(s) @ x for x in turned])
    return turned, stretched, np.array([np.asarray(U) @ x for x in stretched])

# %% svd_stages
# a list of three, from products of matrices
def svd_stages(U, s, V, points):
    first = np.transpose(V)
    second = np.diag(s) @ first
    third = U @ second
    return [np.inner(points, M) for M in (first, second, third)]

# %% compose
# rank-one terms, gathered with np.add.at
def compose(U, s, V):
    U, s, V = np.asarray(U), np.asarray(s), np.asarray(V)
    total = np.zeros((len(U), len(V)))
    for k in range(len(s)):
        i, j = np.indices(total.shape)
        np.add.at(total, (i, j), s[k] * U[i, k] * V[j, k])
    return total

# %% compose
# einsum over columns
def compose(U, s, V):
    return np.einsum("ir,r,jr->ij", U, s, V)

# %% compose
# roots of the singular values on both sides
def compose(U, s, V):
    root = np.sqrt(np.asarray(s, dtype=float))
    return np.inner(np.asarray(U) * root, np.asarray(V) * root).tolist()

# %% decompose
# other signs, and ascending order
def decompose(B):
    U, s, Vt = np.linalg.svd(np.asarray(B, dtype=float), full_matrices=False)
    signs = np.where(np.arange(len(s)) % 2, 1, -1)
    return (U * signs)[:, ::-1], s[::-1], (Vt.T * signs)[:, ::-1]

# %% decompose
# from the decomposition of the transpose, as float32
def decompose(B):
    V, s, Ut = np.linalg.svd(np.transpose(B).astype(float), full_matrices=False)
    return Ut.T.astype(np.float32), s.astype(np.float32), V.astype(np.float32)

# %% decompose
# full factors, cut; a list of lists
def decompose(B):
    U, s, Vt = np.linalg.svd(B)
    r = min(np.shape(B))
    return [U[:, :r].tolist(), s[:r].tolist(), Vt[:r].T.tolist()]

# %% null_vector
# the eigenvector of the smallest eigenvalue of A^T A, as a column (n, 1)
def null_vector(A):
    A = np.asarray(A, dtype=float)
    if np.linalg.matrix_rank(A) == A.shape[1]:
        raise ValueError("only the zero vector")
    values, vectors = np.linalg.eigh(A.T @ A)
    return -vectors[:, :1]

# %% null_vector
# a unit vector with its projection on the row space taken away; the one that keeps most of its length
def null_vector(A):
    A = np.asarray(A, dtype=float)
    rest = np.eye(A.shape[1]) - np.linalg.pinv(A, rcond=1e-13) @ A
    lengths = np.linalg.norm(rest, axis=0)
    if lengths.max() < 1e-6:
        raise np.linalg.LinAlgError("full column rank")
    return rest[:, lengths.argmax()] / lengths.max()

# %% null_space
# another basis of the same space: turned by a random orthogonal matrix
def null_space(A):
    A = np.asarray(A, dtype=float)
    basis = np.linalg.svd(A)[2][np.linalg.matrix_rank(A):].T
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(basis.shape[1],) * 2))[0]
    return basis @ turn

# %% null_space
# eigenvectors of the projection on the null space, in float32
def null_space(A):
    A = np.asarray(A, dtype=float)
    values, vectors = np.linalg.eigh(np.eye(A.shape[1]) - np.linalg.pinv(A, rcond=1e-13) @ A)
    return vectors[:, values > 0.5].astype(np.float32)

# %% low_rank
# rank-one terms in a loop; integers where nothing is kept
def low_rank(A, r):
    if r == 0:
        return np.zeros(np.shape(A), dtype=int)
    U, s, Vt = np.linalg.svd(A)
    return sum(s[k] * np.outer(U[:, k], Vt[k]) for k in range(r))

# %% low_rank
# projection on the first r left singular vectors
def low_rank(A, r):
    A = np.asarray(A, dtype=float)
    U = np.linalg.svd(A)[0][:, :r]
    return U @ (U.T @ A)

# %% low_rank
# small singular values set to zero in a copy
def low_rank(A, r):
    U, s, Vt = np.linalg.svd(np.array(A, dtype=float), full_matrices=False)
    s[r:] = 0
    return np.einsum("ir,r,rj->ij", U, s, Vt)

# %% pseudoinverse
# NumPy's own
def pseudoinverse(A):
    return np.linalg.pinv(np.asarray(A, dtype=float))

# %% pseudoinverse
# divides by zero and mends it
def pseudoinverse(A):
    U, s, Vt = np.linalg.svd(np.asarray(A, dtype=float), full_matrices=False)
    s[s <= 1e-13 * s[0]] = 0
    inverse = 1 / s
    inverse[np.isinf(inverse)] = 0
    return Vt.T @ np.diag(inverse) @ U.T

# %% pseudoinverse
# one column at a time, by least squares of least norm
def pseudoinverse(A):
    A = np.asarray(A, dtype=float)
    columns = [np.linalg.lstsq(A, e, rcond=1e-13)[0] for e in np.eye(A.shape[0])]
    return np.column_stack(columns)

# %% singular_value_gradient
# einsum
def singular_value_gradient(A):
    U, _, Vt = np.linalg.svd(np.asarray(A, dtype=float), full_matrices=False)
    return np.einsum("ji,ik->ijk", U, Vt)

# %% singular_value_gradient
# a list of outer products
def singular_value_gradient(A):
    U, s, Vt = np.linalg.svd(np.asarray(A, dtype=float))
    return [np.outer(U[:, i], Vt[i]) for i in range(len(s))]

# %% singular_value_gradient
# four loops' worth of entries
def singular_value_gradient(A):
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    m, n = np.shape(A)
    gradient = np.zeros((len(s), m, n))
    for i in range(len(s)):
        for j in range(m):
            for k in range(n):
                gradient[i, j, k] = U[j, i] * Vt[i, k]
    return gradient
