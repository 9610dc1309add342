# Thinks in the denominator layout and in columns first; several products come out the other way round.

# %% product_rule
def product_rule(k, dk, u, du):
    k, dk = np.asarray(k, dtype=float), np.asarray(dk, dtype=float)
    u, du = np.asarray(u, dtype=float), np.asarray(du, dtype=float)
    return np.outer(dk, u) + k * du

# %% inner_product_rule
def inner_product_rule(u, du, v, dv):
    u, du = np.asarray(u, dtype=float), np.asarray(du, dtype=float)
    v, dv = np.asarray(v, dtype=float), np.asarray(dv, dtype=float)
    return du.T @ v + dv.T @ u

# %% linear_rule
def linear_rule(A, du):
    A, du = np.asarray(A, dtype=float), np.asarray(du, dtype=float)
    return (du.T @ A.T).T

# %% place
def place(i, a, m):
    a = np.asarray(a, dtype=float)
    blocks = np.zeros((m, a.size))
    blocks[i] = a
    return blocks.ravel(order="F")

# %% dy_dW
def dy_dW(W, x):
    W, x = np.asarray(W, dtype=float), np.asarray(x, dtype=float)
    return np.kron(np.eye(W.shape[0]), x[:, None]).T

# %% dY_dW
def dY_dW(W, X):
    W, X = np.asarray(W, dtype=float), np.asarray(X, dtype=float)
    return np.kron(np.eye(W.shape[0]), X)

# %% dy_dX
def dy_dX(w, X):
    w, X = np.asarray(w, dtype=float), np.asarray(X, dtype=float)
    return np.kron(np.eye(X.shape[1]), w)

# %% dY_dX
def dY_dX(W, X):
    W, X = np.asarray(W, dtype=float), np.asarray(X, dtype=float)
    return np.einsum("ik,jl->jilk", W, np.eye(X.shape[1]))

# %% dz_dW_outer
def dz_dW_outer(dz_dy, x):
    dz_dy, x = np.asarray(dz_dy, dtype=float), np.asarray(x, dtype=float)
    return np.outer(x, dz_dy).T

# %% dz_dW
def dz_dW(dz_dY, X):
    dz_dY, X = np.asarray(dz_dY, dtype=float), np.asarray(X, dtype=float)
    return (X @ dz_dY.T).T

# %% dz_dX
def dz_dX(dz_dY, W):
    dz_dY, W = np.asarray(dz_dY, dtype=float), np.asarray(W, dtype=float)
    return dz_dY @ W

# %% vjp_dY_dW
def vjp_dY_dW(G, X):
    G, X = np.asarray(G, dtype=float), np.asarray(X, dtype=float)
    return np.dot(X, G.T).T

# %% proof_by_index [markdown]
# $\frac{\partial z}{\partial W_{kl}} = \sum_j X_{lj} \frac{\partial z}{\partial Y_{kj}}$, so the gradient is $X \left(\frac{\partial z}{\partial Y}\right)^\top$, and its transpose is what was to be shown.

# %% proof_by_block [markdown]
# $Y^\top = X^\top W^\top$, so the columns $y_i = X^\top w_i$ have Jacobian $X^\top$ by $w_i$. In the denominator layout this is $X$, and $\frac{\partial z}{\partial w_i} = X g_i$. These are the columns of $(\partial z/\partial W)^\top = X G^\top$.
