"""Right answers written otherwise: each keeps every point."""

# %% product_rule
# einsum
def product_rule(k, dk, u, du):
    return np.einsum("i,j->ij", u, dk) + k * np.asarray(du)


# %% product_rule
# through logarithms where nothing is 0, by the rule elsewhere: warns on the way to right values
def product_rule(k, dk, u, du):
    dk, u, du = np.array(dk, dtype=float), np.array(u, dtype=float)[:, None], np.array(du, dtype=float)
    k = np.float64(k)
    logarithmic = k * u * (dk / k + du / u)
    return np.where(np.isfinite(logarithmic), logarithmic, u * dk + k * du)


# %% product_rule
# a column times a row
def product_rule(k, dk, u, du):
    column, row = np.reshape(u, (-1, 1)), np.reshape(dk, (1, -1))
    return column @ row + k * np.eye(len(column)) @ np.asarray(du)


# %% inner_product_rule
# explicit loops, a list as the result
def inner_product_rule(u, du, v, dv):
    m, n = np.shape(du)
    return [sum(v[i] * du[i][j] + u[i] * dv[i][j] for i in range(m)) for j in range(n)]


# %% inner_product_rule
# a column (n, 1) for (n,)
def inner_product_rule(u, du, v, dv):
    return np.transpose(du) @ np.reshape(v, (-1, 1)) + np.transpose(dv) @ np.reshape(u, (-1, 1))


# %% inner_product_rule
# the row (1, n) that the chain rule gives
def inner_product_rule(u, du, v, dv):
    return np.atleast_2d(v) @ np.asarray(du) + np.atleast_2d(u) @ np.asarray(dv)


# %% linear_rule
# float32
def linear_rule(A, du):
    return np.asarray(A, dtype=np.float32) @ np.asarray(du, dtype=np.float32)


# %% linear_rule
# one column after the other
def linear_rule(A, du):
    return np.stack([np.dot(A, column) for column in np.transpose(du)], axis=1)


# %% linear_rule
# a triple loop
def linear_rule(A, du):
    result = [[0.0] * len(du[0]) for _ in A]
    for i in range(len(A)):
        for j in range(len(du[0])):
            for l in range(len(du)):
                result[i][j] += A[i][l] * du[l][j]
    return result


# %% place
# a unit vector times a, block by block
def place(i, a, m):
    return np.kron(np.eye(m)[i], a)


# %% place
# integers where the number is whole, in a list
def place(i, a, m):
    row = [0] * (m * len(a))
    for j, number in enumerate(a):
        row[i * len(a) + j] = int(number) if number == int(number) else float(number)
    return row


# %% place
# padding
def place(i, a, m):
    n = len(a)
    return np.pad(np.asarray(a, dtype=float), (i * n, (m - 1 - i) * n))


# %% place
# a column (m·n, 1), filled by an index
def place(i, a, m):
    row = np.zeros((m * len(a), 1))
    row[np.arange(i * len(a), (i + 1) * len(a)), 0] = a
    return row


# %% dy_dW
# add.at
def dy_dW(W, x):
    (m, n), J = np.shape(W), np.zeros((np.shape(W)[0], np.size(W)))
    i, l = np.indices((m, n))
    np.add.at(J, (i, i * n + l), np.broadcast_to(x, (m, n)))
    return J


# %% dy_dW
# differences of a linear map are exact for any step
def dy_dW(W, x):
    units = np.eye(np.size(W)).reshape(-1, *np.shape(W))
    return np.stack([unit @ np.asarray(x, dtype=float) for unit in units], axis=1)


# %% dy_dW
# a list of lists, every entry by a case
def dy_dW(W, x):
    m, n = len(W), len(x)
    return [[x[column % n] if column // n == i else 0 for column in range(m * n)] for i in range(m)]


# %% dY_dW
# loops over the blocks
def dY_dW(W, X):
    (m, n), b = np.shape(W), np.shape(X)[1]
    J = np.zeros((m * b, m * n))
    for i in range(m):
        J[i * b : (i + 1) * b, i * n : (i + 1) * n] = np.transpose(X)
    return J


# %% dY_dW
# einsum with deltas, float32
def dY_dW(W, X):
    m, n, b = len(W), len(X), len(X[0])
    J = np.einsum("ik,lj->ijkl", np.eye(m), X).reshape(m * b, m * n)
    return J.astype(np.float32)


# %% dY_dW
# the column-major Jacobian, its rows and columns put in our order
def dY_dW(W, X):
    (m, n), b = np.shape(W), np.shape(X)[1]
    J = np.kron(np.transpose(X), np.eye(m))
    rows, columns = np.arange(m * b).reshape(b, m).T.ravel(), np.arange(m * n).reshape(n, m).T.ravel()
    return J[rows][:, columns]


# %% dy_dX
# each row is vec(0, w, 0)
def dy_dX(w, X):
    n, b = np.shape(X)
    rows = []
    for j in range(b):
        gradient = np.zeros((n, b))
        gradient[:, j] = w
        rows.append(gradient.ravel())
    return np.array(rows)


# %% dy_dX
# identities side by side
def dy_dX(w, X):
    return np.hstack([number * np.eye(np.shape(X)[1]) for number in w])


# %% dY_dX
# blocks of W, then the axes exchanged
def dY_dX(W, X):
    (m, n), b = np.shape(W), np.shape(X)[1]
    return np.kron(np.eye(b), W).reshape(b, m, b, n).transpose(1, 0, 3, 2)


# %% dY_dX
# nested lists, no array at all
def dY_dX(W, X):
    b = len(X[0])
    return [[[[W_ik if j == l else 0 for l in range(b)] for W_ik in row] for j in range(b)] for row in W]


# %% dY_dX
# broadcasting, in a memory order of its own
def dY_dX(W, X):
    b = np.shape(X)[1]
    return np.asfortranarray(np.asarray(W)[:, None, :, None] * np.eye(b)[None, :, None, :])


# %% dz_dW_outer
# a Kronecker product, reshaped
def dz_dW_outer(dz_dy, x):
    return np.kron(dz_dy, x).reshape(len(dz_dy), len(x))


# %% dz_dW_outer
# multiply.outer on float32
def dz_dW_outer(dz_dy, x):
    return np.multiply.outer(np.float32(dz_dy), np.float32(x))


# %% dz_dW
# a sum of outer products, sample by sample
def dz_dW(dz_dY, X):
    return sum(np.outer(g, x) for g, x in zip(np.transpose(dz_dY), np.transpose(X)))


# %% dz_dW
# through the row of the chain rule
def dz_dW(dz_dY, X):
    m, X = len(dz_dY), np.asarray(X)
    return (np.ravel(dz_dY) @ np.kron(np.eye(m), X.T)).reshape(m, len(X))


# %% dz_dX
# transposed twice, as a list
def dz_dX(dz_dY, W):
    return (np.transpose(dz_dY) @ np.asarray(W)).T.tolist()


# %% dz_dX
# einsum
def dz_dX(dz_dY, W):
    return np.einsum("ik,ij->kj", W, dz_dY)


# %% vjp_dY_dW
# row by row: each block turns g into X g
def vjp_dY_dW(G, X):
    return np.array([np.dot(X, g) for g in np.asarray(G, dtype=float)])


# %% vjp_dY_dW
# accumulated over the samples
def vjp_dY_dW(G, X):
    G, X = np.asarray(G, dtype=float), np.asarray(X, dtype=float)
    total = np.zeros((G.shape[0], X.shape[0]))
    for g, x in zip(G.T, X.T):
        total += np.outer(g, x)
    return total


# %% vjp_dY_dW
# inner products of all pairs of rows
def vjp_dY_dW(G, X):
    return np.inner(G, X)
