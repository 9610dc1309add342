# Textbook definitions to the letter: logarithmic derivatives, inverses, difference quotients, whole Jacobians.

# %% product_rule
def product_rule(k, dk, u, du):
    k, dk = np.asarray(k, dtype=float), np.asarray(dk, dtype=float)
    u, du = np.asarray(u, dtype=float), np.asarray(du, dtype=float)
    v = k * u
    return v[:, None] * (dk / k + du / u[:, None])

# %% inner_product_rule
def inner_product_rule(u, du, v, dv):
    u, du = np.asarray(u, dtype=float), np.asarray(du, dtype=float)
    v, dv = np.asarray(v, dtype=float), np.asarray(dv, dtype=float)
    return ((u + v) @ (du + dv)) - u @ du - v @ dv

# %% linear_rule
def linear_rule(A, du):
    A, du = np.asarray(A, dtype=float), np.asarray(du, dtype=float)
    return A @ du

# %% place
def place(i, a, m):
    a = np.asarray(a, dtype=float)
    return np.hstack([np.zeros(i * a.size), a])

# %% dy_dW
def dy_dW(W, x):
    W, x = np.asarray(W, dtype=float), np.asarray(x, dtype=float)
    m, n = W.shape
    J = np.empty((m, m * n))
    for column in range(m * n):
        stepped = W.ravel().copy()
        stepped[column] += 1
        J[:, column] = stepped.reshape(m, n) @ x - W @ x
    return J

# %% dY_dW
def dY_dW(W, X):
    W, X = np.asarray(W, dtype=float), np.asarray(X, dtype=float)
    return np.kron(np.eye(W.shape[0]), X.T)

# %% dy_dX
def dy_dX(w, X):
    w, X = np.asarray(w, dtype=float), np.asarray(X, dtype=float)
    h = 1e-6
    J = np.empty((X.shape[1], X.size))
    for column in range(X.size):
        stepped = X.ravel().copy()
        stepped[column] += h
        J[:, column] = (w @ stepped.reshape(X.shape) - w @ X) / h
    return J

# %% dY_dX
def dY_dX(W, X):
    W, X = np.asarray(W, dtype=float), np.asarray(X, dtype=float)
    return np.moveaxis(np.multiply.outer(W, np.eye(X.shape[1])), 1, 2)

# %% dz_dW_outer
def dz_dW_outer(dz_dy, x):
    dz_dy, x = np.asarray(dz_dy, dtype=float), np.asarray(x, dtype=float)
    return dz_dy.T @ x

# %% dz_dW
def dz_dW(dz_dY, X):
    dz_dY, X = np.asarray(dz_dY, dtype=float), np.asarray(X, dtype=float)
    m = dz_dY.shape[0]
    return dz_dY.reshape(1, -1) @ np.kron(np.eye(m), X.T)

# %% dz_dX
def dz_dX(dz_dY, W):
    dz_dY, W = np.asarray(dz_dY, dtype=float), np.asarray(W, dtype=float)
    return np.linalg.pinv(W) @ dz_dY

# %% vjp_dY_dW
def vjp_dY_dW(G, X):
    G, X = np.asarray(G, dtype=float), np.asarray(X, dtype=float)
    J = np.kron(np.eye(G.shape[0]), X.T)
    return (J.T @ G.ravel()).reshape(G.shape[0], X.shape[0])

# %% proof_by_index [markdown]
# By the definition of the derivative, raise $W_{kl}$ by $h$: only row $k$ of $Y$ changes, and $Y_{kj}$ by exactly $h X_{lj}$.
# So $z$ changes by $h \sum_j \frac{\partial z}{\partial Y_{kj}} X_{lj} + o(h)$. Divide by $h$ and let $h \to 0$: the sum is $\left(\frac{\partial z}{\partial Y} X^\top\right)_{kl}$.

# %% proof_by_block [markdown]
# $\frac{\partial z}{\partial W} = \frac{\partial z}{\partial Y} \frac{\partial Y}{\partial W}$ and $\frac{\partial Y}{\partial W} = X^\top$.
