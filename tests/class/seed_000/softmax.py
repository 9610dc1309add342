# What seed 000 derived in question 1, symbol by symbol, right or wrong. Item 2 writes softmax(z_i) of a
# single number; item 3 restates s(z_i) as a component of softmax(z). Not answered: all that is left out.

# %% shift_proof [markdown]
# $$\text{softmax}(\vec{z} - c1) = \frac{\exp(z_i - c1)}{\sum_{j=1}^K \exp(z_j - c1)}$$
#
# $$= \frac{1}{\sum_{j=1}^K \exp(z_j - z_i)}$$
#
# $$= \frac{\exp(z_i)}{\sum_{j=1}^K \exp(z_j)} = \text{softmax}(\vec{z}).$$

# %% softmax
def softmax(z):
    # softmax(z) = exp(z_i) / sum_j exp(z_j)
    z = np.asarray(z, dtype=float)
    return np.exp(z) / np.sum(np.exp(z))

# %% jacobian_proof [markdown]
# ① if $i = j$.
#
# $$\begin{aligned} \frac{\partial y_i}{\partial z_i} &= \exp(z_i) \cdot \frac{1}{\sum \exp(z_j)} + \exp(z_i) \cdot \frac{-\exp(z_i)}{(\sum \exp(z_j))^2} \\ &= \text{softmax}(z_i) - \text{softmax}^2(z_i). \end{aligned}$$
#
# ② if $i \neq j$.
#
# $$\frac{\partial y_i}{\partial z_j} = -\text{softmax}(z_i) \cdot \text{softmax}(z_j).$$

# %% softmax_jacobian
def softmax_jacobian(z):
    z = np.asarray(z, dtype=float)
    k = len(z)
    J = np.zeros((k, k))
    for i in range(k):
        for j in range(k):
            if i == j:
                # softmax(z_i) - softmax^2(z_i)
                J[i, j] = softmax(z[i]) - softmax(z[i]) ** 2
            else:
                # -softmax(z_i) softmax(z_j)
                J[i, j] = -softmax(z[i]) * softmax(z[j])
    return J

# %% dy_dx
def dy_dx(x, W, u):
    x = np.asarray(x, dtype=float)
    W = np.asarray(W, dtype=float)
    u = np.asarray(u, dtype=float)
    s = softmax(W.T @ x - u)
    k = len(s)
    # [s(z_i) - s^2(z_i)] w_i - sum over j other than i of s(z_i) s(z_j) w_j
    rows = []
    for i in range(k):
        others = sum(s[i] * s[j] * W[:, j] for j in range(k) if j != i)
        rows.append((s[i] - s[i] ** 2) * W[:, i] - others)
    return np.array(rows)

# %% dy_dw
def dy_dw(x, W, u):
    x = np.asarray(x, dtype=float)
    W = np.asarray(W, dtype=float)
    u = np.asarray(u, dtype=float)
    s = softmax(W.T @ x - u)
    k, d = len(s), len(x)
    result = np.zeros((k, k, d))
    # [s(z_i) - s^2(z_i)] x_j - sum over j other than i of s(z_i) s(z_j) w_i
    for i in range(k):
        others = sum(s[i] * s[j] * W[:, i] for j in range(k) if j != i)
        for j in range(k):
            result[i, j] = (s[i] - s[i] ** 2) * x[j] - others
    return result

# %% dy_du
def dy_du(x, W, u):
    x = np.asarray(x, dtype=float)
    W = np.asarray(W, dtype=float)
    u = np.asarray(u, dtype=float)
    s = softmax(W.T @ x - u)
    k = len(s)
    # [sum over j other than i of s(z_i) s(z_j)] - s(z_i) + s^2(z_i)
    return np.array([sum(s[i] * s[j] for j in range(k) if j != i) - s[i] + s[i] ** 2 for i in range(k)])
