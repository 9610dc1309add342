# Saves memory by writing into the arguments, which np.asarray does not copy; right wherever it copies first.

# %% shift_proof [markdown]
# The factor $e^{-c}$ stands in the numerator and in every term of the denominator. It is positive, so it can be
# divided out: $\frac{e^{-c} e^{z_i}}{e^{-c} \sum_j e^{z_j}} = \mathrm{softmax}(z)_i$. Take $c = \max z$: no exponent is above 0.

# %% softmax
def softmax(z):
    z = np.asarray(z, dtype=float)
    z -= z.max()
    powers = np.exp(z)
    return powers / powers.sum()

# %% softmax_rows
def softmax_rows(Z):
    Z = np.array(Z, dtype=float)
    Z -= Z.max(axis=1, keepdims=True)
    np.exp(Z, out=Z)
    Z /= Z.sum(axis=1, keepdims=True)
    return Z

# %% jacobian_proof [markdown]
# Quotient rule. $i = j$: $\frac{e^{z_i} S - e^{2 z_i}}{S^2} = y_i - y_i^2$. $i \neq j$: $\frac{0 - e^{z_i} e^{z_j}}{S^2} = -y_i y_j$.
# Together $y_i(\delta_{ij} - y_j)$.

# %% softmax_jacobian
def softmax_jacobian(z):
    y = softmax(np.array(z, dtype=float))
    J = np.outer(-y, y)
    J[np.diag_indices_from(J)] += y
    return J

# %% softmax_vjp
def softmax_vjp(z, g):
    z = np.asarray(z, dtype=float)
    g = np.asarray(g, dtype=float)
    y = softmax(z.copy())
    g -= y @ g
    g *= y
    return g

# %% dy_dx
def dy_dx(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    z = W.T @ x
    z -= u
    return softmax_jacobian(z) @ W.T

# %% dy_dw
def dy_dw(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    result = np.empty((u.size, u.size, x.size))
    result[:] = x
    result *= softmax_jacobian(W.T @ x - u)[:, :, np.newaxis]
    return result

# %% dy_du
def dy_du(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    J = softmax_jacobian(W.T @ x - u)
    np.negative(J, out=J)
    return J

# %% log_softmax
def log_softmax(z):
    z = np.asarray(z, dtype=float)
    z -= z.max()
    z -= np.log(np.exp(z).sum())
    return z

# %% cross_entropy
def cross_entropy(z, c):
    return -log_softmax(np.array(z, dtype=float))[c]

# %% cross_entropy_gradient
def cross_entropy_gradient(z, c):
    z = np.asarray(z, dtype=float)
    z -= z.max()
    np.exp(z, out=z)
    z /= z.sum()
    z[c] -= 1
    return z
