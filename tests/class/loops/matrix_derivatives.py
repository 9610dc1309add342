# Plain Python loops, lists of lists now and then. Slips: off by one, a loop too many, a last column left out.

# %% product_rule
def product_rule(k, dk, u, du):
    result = []
    for i in range(len(u)):
        row = []
        for j in range(len(dk)):
            row.append(float(u[i] * dk[j] + k * du[i][j]))
        result.append(row)
    return result

# %% inner_product_rule
def inner_product_rule(u, du, v, dv):
    m, n = len(u), len(du[0])
    result = [0.0] * n
    for j in range(n):
        for i in range(m - 1):
            result[j] += v[i] * du[i][j] + u[i] * dv[i][j]
    return result

# %% linear_rule
def linear_rule(A, du):
    p, m, n = len(A), len(du), len(du[0])
    result = np.zeros((p, n))
    for i in range(p):
        for j in range(n):
            for l in range(m):
                result[i, j] += A[i][l] * du[l][j]
    return result

# %% place
def place(i, a, m):
    n = len(a)
    row = [0.0] * (m * n)
    for j in range(n):
        row[(i - 1) * n + j] = float(a[j])
    return row

# %% dy_dW
def dy_dW(W, x):
    m, n = len(W), len(x)
    J = np.zeros((m, m * n))
    for i in range(m):
        for l in range(n):
            J[i, i * n + l] = x[l]
    return J

# %% dY_dW
def dY_dW(W, X):
    m, n, b = len(W), len(X), len(X[0])
    rows = []
    for i in range(m):
        for j in range(b):
            rows.append([X[l][j] for l in range(n)])
    return rows

# %% dy_dX
def dy_dX(w, X):
    n, b = len(X), len(X[0])
    J = np.zeros((b, n * b))
    for j in range(b):
        for k in range(n):
            for l in range(b):
                J[j, k * b + l] = w[k]
    return J

# %% dY_dX
def dY_dX(W, X):
    m, n, b = len(W), len(X), len(X[0])
    tensor = np.zeros((m, b, n, b))
    for i in range(m):
        for j in range(b):
            for k in range(n):
                tensor[i, j, k, j] = W[i][k]
    return tensor.tolist()

# %% dz_dW_outer
def dz_dW_outer(dz_dy, x):
    return [[float(g * number) for number in x] for g in dz_dy]

# %% dz_dW
def dz_dW(dz_dY, X):
    m, n, b = len(dz_dY), len(X), len(X[0])
    result = np.zeros((m, n))
    for i in range(m):
        for k in range(n):
            for j in range(b - 1):
                result[i, k] += dz_dY[i][j] * X[k][j]
    return result

# %% dz_dX
def dz_dX(dz_dY, W):
    m, n, b = len(W), len(W[0]), len(dz_dY[0])
    result = np.zeros((n, b))
    for k in range(n):
        for l in range(b):
            for i in range(m):
                result[k, l] += W[i][k] * dz_dY[i][l]
    return result

# %% vjp_dY_dW
def vjp_dY_dW(G, X):
    G, X = np.asarray(G, dtype=float), np.asarray(X, dtype=float)
    result = np.zeros((len(G), len(X)))
    for j in range(1, G.shape[1]):
        result += np.outer(G[:, j], X[:, j])
    return result

# %% proof_by_index [markdown]
# For each $i$ and $j$: $Y_{ij} = W_{i1} X_{1j} + \dots + W_{in} X_{nj}$. So $W_{kl}$ changes $Y_{k1}, \dots, Y_{kb}$, by $X_{l1}, \dots, X_{lb}$.
# Adding up what each of them does to $z$ gives $\sum_j \frac{\partial z}{\partial Y_{kj}} X_{lj}$, which is row $k$ of $\partial z/\partial Y$ times column $l$ of $X^\top$.

# %% proof_by_block [markdown]
# Row $i$ of $Y$ is row $i$ of $W$ times $X$. Hence row $i$ of the gradient is row $i$ of $\partial z/\partial Y$ times $X^\top$.
