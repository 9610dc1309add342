# Saves memory by overwriting: in some functions its arguments, elsewhere its own arrays.

# %% product_rule
def product_rule(k, dk, u, du):
    dk, u, du = np.asarray(dk, dtype=float), np.asarray(u, dtype=float), np.asarray(du, dtype=float)
    du *= k
    du += np.outer(u, dk)
    return du

# %% inner_product_rule
def inner_product_rule(u, du, v, dv):
    u, du = np.asarray(u, dtype=float), np.asarray(du, dtype=float)
    v, dv = np.asarray(v, dtype=float), np.asarray(dv, dtype=float)
    du *= v[:, None]
    dv *= u[:, None]
    du += dv
    return du.sum(axis=0)

# %% linear_rule
def linear_rule(A, du):
    A, du = np.asarray(A, dtype=float), np.asarray(du, dtype=float)
    du[:] = A @ du
    return du

# %% place
def place(i, a, m):
    a = np.asarray(a, dtype=float)
    n = a.size
    row = np.zeros(m * n)
    row[(i - 1) * n : i * n] = a
    return row

# %% dy_dW
def dy_dW(W, x):
    W, x = np.asarray(W, dtype=float), np.asarray(x, dtype=float)
    m, n = W.shape
    J = np.zeros((m, m, n))
    J[np.arange(m), np.arange(m)] += x
    J.shape = (m, m * n)
    return J

# %% dY_dW
def dY_dW(W, X):
    W, X = np.asarray(W, dtype=float), np.asarray(X, dtype=float)
    (m, n), b = W.shape, X.shape[1]
    J = np.zeros((m * b, m * n))
    for i in range(m):
        J[i * b : (i + 1) * b, i * n : (i + 1) * n] += X.T
    return J

# %% dy_dX
def dy_dX(w, X):
    w, X = np.asarray(w, dtype=float), np.asarray(X, dtype=float)
    J = np.kron(np.ones((1, w.size)), np.eye(X.shape[1]))
    J *= np.repeat(w, X.shape[1])
    return J

# %% dY_dX
def dY_dX(W, X):
    W, X = np.asarray(W, dtype=float), np.asarray(X, dtype=float)
    (m, n), b = W.shape, X.shape[1]
    blocks = np.kron(np.eye(b), W)
    blocks.shape = (m, b, n, b)
    return blocks

# %% dz_dW_outer
def dz_dW_outer(dz_dy, x):
    dz_dy, x = np.asarray(dz_dy, dtype=float), np.asarray(x, dtype=float)
    dz_dy.shape = (dz_dy.size, 1)
    return dz_dy * x

# %% dz_dW
def dz_dW(dz_dY, X):
    dz_dY, X = np.asarray(dz_dY, dtype=float), np.asarray(X, dtype=float)
    result = np.empty((dz_dY.shape[0], X.shape[0]))
    np.matmul(dz_dY, X.T, out=result)
    return result

# %% dz_dX
def dz_dX(dz_dY, W):
    dz_dY, W = np.asarray(dz_dY, dtype=float), np.asarray(W, dtype=float)
    result = np.zeros((W.shape[1], dz_dY.shape[1]))
    for w, g in zip(W, dz_dY):
        result += np.outer(w, g)
    return result

# %% vjp_dY_dW
def vjp_dY_dW(G, X):
    G, X = np.asarray(G, dtype=float), np.asarray(X, dtype=float)
    result = np.empty((G.shape[0], X.shape[0]))
    for i, g in enumerate(G):
        result[i] = X @ g
    return result

# %% proof_by_index [markdown]
# Start from $\partial z/\partial W = 0$ and, for each $(i, j)$, add what passes through $Y_{ij} = \sum_p W_{ip} X_{pj}$: to entry $(i, l)$ it adds $\frac{\partial z}{\partial Y_{ij}} X_{lj}$.
# In the end entry $(i, l)$ holds $\sum_j \frac{\partial z}{\partial Y_{ij}} X_{lj}$, an entry of $\frac{\partial z}{\partial Y} X^\top$.

# %% proof_by_block [markdown]
# $\operatorname{vec}(Y)$ by $\operatorname{vec}(W)$ is block diagonal with $X^\top$ on the diagonal, because $y_i = X^\top w_i$. A row of blocks $g_i^\top$ times it gives blocks $g_i^\top X^\top$, the rows of the gradient.
