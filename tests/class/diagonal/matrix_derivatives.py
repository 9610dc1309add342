# Thinks entry by entry: * for @, sums forgotten, cross terms dropped.

# %% product_rule
def product_rule(k, dk, u, du):
    k, dk = np.asarray(k, dtype=float), np.asarray(dk, dtype=float)
    u, du = np.asarray(u, dtype=float), np.asarray(du, dtype=float)
    return u * dk + k * du

# %% inner_product_rule
def inner_product_rule(u, du, v, dv):
    u, du = np.asarray(u, dtype=float), np.asarray(du, dtype=float)
    v, dv = np.asarray(v, dtype=float), np.asarray(dv, dtype=float)
    return v[:, None] * du + u[:, None] * dv

# %% linear_rule
def linear_rule(A, du):
    A, du = np.asarray(A, dtype=float), np.asarray(du, dtype=float)
    return A * du

# %% place
def place(i, a, m):
    a = np.asarray(a, dtype=float)
    return np.where(np.arange(m * a.size) // a.size == i, np.tile(a, m), 0)

# %% dy_dW
def dy_dW(W, x):
    W, x = np.asarray(W, dtype=float), np.asarray(x, dtype=float)
    return np.diag(np.tile(x, W.shape[0]))

# %% dY_dW
def dY_dW(W, X):
    W, X = np.asarray(W, dtype=float), np.asarray(X, dtype=float)
    return np.tile(X.T, (W.shape[0], W.shape[0]))

# %% dy_dX
def dy_dX(w, X):
    w, X = np.asarray(w, dtype=float), np.asarray(X, dtype=float)
    return np.concatenate([np.diag(np.full(X.shape[1], number)) for number in w], axis=1)

# %% dY_dX
def dY_dX(W, X):
    W, X = np.asarray(W, dtype=float), np.asarray(X, dtype=float)
    tensor = np.zeros((W.shape[0], X.shape[1], X.shape[0], X.shape[1]))
    for j in range(X.shape[1]):
        tensor[:, j, :, j] = W
    return tensor

# %% dz_dW_outer
def dz_dW_outer(dz_dy, x):
    dz_dy, x = np.asarray(dz_dy, dtype=float), np.asarray(x, dtype=float)
    return dz_dy * x

# %% dz_dW
def dz_dW(dz_dY, X):
    dz_dY, X = np.asarray(dz_dY, dtype=float), np.asarray(X, dtype=float)
    return np.sum(dz_dY[:, None, :] * X[None, :, :], axis=2)

# %% dz_dX
def dz_dX(dz_dY, W):
    dz_dY, W = np.asarray(dz_dY, dtype=float), np.asarray(W, dtype=float)
    return np.sum(W[:, :, None] * dz_dY[:, None, :], axis=0)

# %% vjp_dY_dW
def vjp_dY_dW(G, X):
    G, X = np.asarray(G, dtype=float), np.asarray(X, dtype=float)
    return np.stack([np.sum(G * row, axis=1) for row in X], axis=1)

# %% proof_by_index [markdown]
# $\frac{\partial Y_{ij}}{\partial W_{ij}} = X_{ij}$, so $\frac{\partial z}{\partial W_{ij}} = \frac{\partial z}{\partial Y_{ij}} X_{ij}$ for each entry.

# %% proof_by_block [markdown]
# Each row of $W$ is multiplied by $X$, so the derivative of each row is $X^\top$.
